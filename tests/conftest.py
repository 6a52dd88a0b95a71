"""What holds for every test."""

from hypothesis import settings

# A deadline per example would test how busy the machine is.
settings.register_profile("privlink", deadline=None, print_blob=True)
settings.load_profile("privlink")
