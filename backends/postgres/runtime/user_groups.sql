
-- The stated groups. None is nested in another.
BEGIN
    RETURN postern.as_string_set(postern.subject() -> 'groups');
END
