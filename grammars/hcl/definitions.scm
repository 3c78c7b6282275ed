; Blocks with labels go by their header: `resource "kind" "name"`.
(block (string_lit) (body) @body) @definition.rule
(block (string_lit)) @definition.rule
(block (identifier) @name (body) @body) @definition.rule
(block (identifier) @name) @definition.rule
(attribute (identifier) @name (expression (collection_value) @body)) @definition.key
(attribute (identifier) @name) @definition.key
