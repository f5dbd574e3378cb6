"""The face model: what is taken of ICT-FaceKit light, and how the published file is built."""
