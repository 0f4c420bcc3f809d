"""How the database came to have the tables it has, step by step. A step that was released is never changed."""
