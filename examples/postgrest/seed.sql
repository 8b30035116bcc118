INSERT INTO notes (owner_id, team, title, published) VALUES
    ('00000000-0000-4000-8000-0000000000a2', NULL, 'News', true),
    ('00000000-0000-4000-8000-0000000000a1', NULL, 'A draft', false),
    ('00000000-0000-4000-8000-0000000000a2', 7, 'Minutes of team 7', false),
    ('00000000-0000-4000-8000-0000000000a2', 8, 'Minutes of team 8', false);
