"""AWS: sessions, errors, retries, and the services that are not one of the stores."""
