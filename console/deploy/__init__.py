"""`python -m console.deploy verify`: the checklist of a release, walked against a running installation."""
