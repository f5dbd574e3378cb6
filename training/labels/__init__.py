"""Labels of photos: two teachers, fits of the face model, pseudo-labels, and one label a face of all these."""
