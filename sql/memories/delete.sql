DELETE FROM memories WHERE id = %(id)s
