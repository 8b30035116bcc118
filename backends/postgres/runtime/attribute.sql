
DECLARE
    s json := postern.subject();
    stated json := s -> 'attributes' -> name;
BEGIN
    IF stated IS NOT NULL THEN
        RETURN stated;
    END IF;
    RETURN postern.claim(s -> 'claims', path);
END
