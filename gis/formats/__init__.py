"""Encodings of a stream of Arrow batches, each written as it comes: memory does not grow with the number of rows."""
