"""The model as JSON documents, and back, with their JSON Schemas."""
