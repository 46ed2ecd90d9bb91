"""The stages of a release and what goes with them: values and effects in, a result out."""
