"""openbook: decide with evidence between retrieved context, fine-tuning, or both."""

__version__ = "0.1.0"
