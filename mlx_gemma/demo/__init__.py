"""The embedded demonstration model: drawn chest pictures, what is said of them, and a model that learned both."""
