"""Live streams: faces followed, tracked and smoothed from frame to frame, and calibrated to each person's neutral."""
