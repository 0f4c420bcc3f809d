"""The Anthropic dialect: messages, model lists and errors.

Source of the wire formats: https://docs.anthropic.com/en/api.
"""
