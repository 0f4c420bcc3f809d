"""Which target next. Pure decisions over names and numbers; knows no provider and no dialect."""
