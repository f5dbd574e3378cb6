"""The film of two rendered faces that the page plays before a camera is allowed, and what their faces do in it."""
