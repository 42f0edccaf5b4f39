"""The importer of TensorFlow Lite models."""

from .importer import Survey, SurveyedOperator, SurveyedTensor, load_tflite, parse_tflite, survey_tflite

__all__ = ["Survey", "SurveyedOperator", "SurveyedTensor", "load_tflite", "parse_tflite", "survey_tflite"]
