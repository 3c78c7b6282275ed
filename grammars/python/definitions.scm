(function_definition name: (_) @name body: (_) @body) @definition.function
(class_definition name: (_) @name body: (_) @body) @definition.class
(assignment left: (identifier) @name) @definition.variable
(assignment left: (pattern_list (identifier)+ @name)) @definition.variable
(type_alias_statement left: (type (identifier) @name)) @definition.type
(type_alias_statement left: (type (generic_type (identifier) @name))) @definition.type

(import_statement) @import
(import_from_statement) @import
(future_import_statement) @import
