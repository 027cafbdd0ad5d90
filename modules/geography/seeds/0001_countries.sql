INSERT INTO countries (code, name) VALUES
    ('AT', 'Austria'),
    ('BR', 'Brazil'),
    ('CH', 'Switzerland'),
    ('DE', 'Germany'),
    ('FR', 'France'),
    ('GB', 'United Kingdom'),
    ('IN', 'India'),
    ('JP', 'Japan'),
    ('KE', 'Kenya'),
    ('NP', 'Nepal'),
    ('US', 'United States');
