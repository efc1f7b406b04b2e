"""A project file, and what it names, as a revision of git has them and no pull request can change them."""
