"""The open leak suite: values of one subject, hidden in messages in every way that is known.

It shares no code with the toolkit: encoders are those of the standard library, ``brotli``,
``zstandard`` and ``cryptography``, or written here from the formats' own texts. See ``README.md``.
"""
