"""The Bedrock dialect: Converse, and errors of all that Amazon Bedrock serves.

Source of the wire formats: https://docs.aws.amazon.com/bedrock/latest/APIReference.
"""
