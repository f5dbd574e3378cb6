"""Makes the Studio's characters: heads with ARKit's 52 morph targets, as glTF 2.0, from ICT-FaceKit's mesh."""
