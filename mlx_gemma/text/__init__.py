"""What is said, as ids: the vocabulary, the turns of a conversation, and the thinking in an answer."""
