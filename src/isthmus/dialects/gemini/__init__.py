"""The Gemini dialect, as the Gemini API and Vertex AI speak it: content, model lists, counting and errors.

Source of the wire formats: https://ai.google.dev/api.
"""
