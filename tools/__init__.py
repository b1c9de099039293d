"""Steps of set-up and upkeep: environment, static files, translations, papers, and the offline verifier."""
