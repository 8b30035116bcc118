
    -- This text is the current one, but rows are those of the transaction's
    -- snapshot: the directory and the groups must be those it was made with.
    DECLARE
        entry record;
    BEGIN
        SELECT d.level, d.groups::json AS groups, d.attributes::json AS attributes
            INTO entry FROM postern.generation g LEFT JOIN postern.directory d ON d.key = id
            WHERE g.name = 'identity' AND g.hash = {{1}};
        IF NOT FOUND THEN
            RAISE EXCEPTION 'postern: the rules have changed since this transaction began; retry it' USING ERRCODE = '40001';
        END IF;
        level := coalesce(entry.level, level);
        groups := coalesce(entry.groups, groups);
        attributes := entry.attributes;
    END;
