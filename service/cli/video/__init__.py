"""A video or a camera on this machine: frames through a session, and what becomes of the faces in them."""
