-- A little data for the low-code example; run it after schema.sql.
-- Users end in a…, app records in b…, elements in c…, tasks in d…, rows in e….

INSERT INTO public.app_records (id, title, status, amount, region, requester_id, assignee_id, mentions, confidential, opened_at) VALUES
    ('00000000-0000-4000-8000-0000000000b1', 'INC-118 Printer on fire',       'open',        0.00, 'EMEA', '00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-0000000000a2', '{}', false, now() - interval '2 days'),
    ('00000000-0000-4000-8000-0000000000b2', 'INC-119 You have won [spam]',   'open',        0.00, NULL,   '00000000-0000-4000-8000-0000000000a3', NULL,                                   '{}', false, now() - interval '1 day'),
    ('00000000-0000-4000-8000-0000000000b3', 'New laptop',                    'approved', 1899.00, 'EMEA', '00000000-0000-4000-8000-0000000000a2', '00000000-0000-4000-8000-0000000000a3', '{00000000-0000-4000-8000-0000000000a1}', false, now() - interval '40 days'),
    ('00000000-0000-4000-8000-0000000000b4', 'INVOICE 2025-031, cleaning',    'waiting',   412.50, 'APAC', '00000000-0000-4000-8000-0000000000a3', NULL,                                   '{}', false, now() - interval '120 days'),
    ('00000000-0000-4000-8000-0000000000b5', 'A chair for a new colleague',   'draft',      89.00, 'EMEA', '00000000-0000-4000-8000-0000000000a1', NULL,                                   '{}', false, now() - interval '3 hours'),
    ('00000000-0000-4000-8000-0000000000b6', 'Settlement',                    'open',    30000.00, NULL,   '00000000-0000-4000-8000-0000000000a4', NULL,                                   '{}', true,  now() - interval '9 days');

INSERT INTO public.elements (id, name, code, scope, owner_group, certificates, verified, contract_ends, notes) VALUES
    ('00000000-0000-4000-8000-0000000000c1', 'Hosting',         'K201', 'dept.eng.web', 'buyers',   '{iso-27001}',          true,  current_date + 30, 'Renewed every year'),
    ('00000000-0000-4000-8000-0000000000c2', 'Office cleaning', 'C017', 'dept.ops',     'buyers',   '{iso-9001,iso-14001}', true,  current_date + 300, NULL),
    ('00000000-0000-4000-8000-0000000000c3', 'Old archive',     'A3',   'dept.ops',     'stewards', '{}',                   false, '2018-06-30',       'Boxes in the cellar'),
    ('00000000-0000-4000-8000-0000000000c4', 'Compiler farm',   'K202', 'dept.eng',     'planners', '{}',                   true,  NULL,               'Our own');

INSERT INTO public.tasks (id, title, project_id, team_id, assignee_id, priority, estimate_hours, spent_hours, starts_at, done) VALUES
    ('00000000-0000-4000-8000-0000000000d1', 'Replace the printer',  17, 1, '00000000-0000-4000-8000-0000000000a2', 3,  4,  1, now() - interval '6 hours', false),
    ('00000000-0000-4000-8000-0000000000d2', 'Write the report',     17, 1, '00000000-0000-4000-8000-0000000000a1', 1, 10, 22, now() - interval '9 days',  true),
    ('00000000-0000-4000-8000-0000000000d3', 'Paint the meeting room', 18, 2, NULL,                                 1,  8, 10, now() - interval '1 day',   false),
    ('00000000-0000-4000-8000-0000000000d4', 'Order paint',          18, 2, '00000000-0000-4000-8000-0000000000a3', 2,  1,  0, now() + interval '2 days',  false);

INSERT INTO public.table_rows (id, table_name, label, day, clearance) VALUES
    ('00000000-0000-4000-8000-0000000000e1', 'Holidays',          'New Year',          '2025-01-01', 3),
    ('00000000-0000-4000-8000-0000000000e2', 'Holidays',          'New Year',          '2024-01-01', 3),
    ('00000000-0000-4000-8000-0000000000e3', 'Price list',        'Day rate',          '2025-01-01', 1),
    ('00000000-0000-4000-8000-0000000000e4', 'Price list',        'Day rate, partner', '2024-01-01', 2),
    ('00000000-0000-4000-8000-0000000000e5', 'Budget draft 2026', 'Travel',            '2025-05-01', 1);
