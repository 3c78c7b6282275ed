(table . (_) @name) @definition.key
(table_array_element . (_) @name) @definition.key
(pair . (_) @name [(inline_table) (array)] @body) @definition.key
(pair . (_) @name) @definition.key
