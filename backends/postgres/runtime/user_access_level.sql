
BEGIN
    RETURN postern.subject() ->> 'level';
END
