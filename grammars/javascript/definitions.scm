(class_declaration name: (_) @name body: (_) @body) @definition.class
(field_definition
  property: (_) @name
  value: [
    (arrow_function body: (_) @body)
    (function_expression body: (_) @body)
  ]) @definition.method
(field_definition property: (_) @name) @definition.field
