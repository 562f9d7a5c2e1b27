"""The universal workflow, one short file a step."""
