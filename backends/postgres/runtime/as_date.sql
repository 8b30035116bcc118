
BEGIN
    RETURN postern.day(postern.as_string(value));
END
