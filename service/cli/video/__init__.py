"""Videos and cameras on this machine: their frames, the loop that processes them, and what shows the faces."""
