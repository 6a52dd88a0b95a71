"""The reference: what every action takes, answers and refuses, read off its declaration.

Nothing here is kept by hand. `schema` reads types, `refusals` reads the code, `page` puts both
together, and `openapi`, `markdown` and `html` say it in three forms.
"""
