"""The published models and the pipeline that runs them on pictures."""
