
BEGIN
    RETURN postern.session() -> 'request';
END
