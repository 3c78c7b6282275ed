(pair key: (_) @name value: [(object) (array)] @body) @definition.key
(pair key: (_) @name) @definition.key
