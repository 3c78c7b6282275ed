(namespace_definition name: (_) @name body: (_) @body) @definition.module
(class_specifier name: (_) @name body: (_) @body) @definition.class
(function_definition declarator: (_) @name) @definition.function
(declaration
  declarator: [
    (reference_declarator (function_declarator))
    (operator_cast)
  ] @name) @definition.function
(field_declaration
  declarator: [
    (reference_declarator (function_declarator)) @name
    (operator_cast) @name
  ]) @definition.method
(alias_declaration name: (_) @name) @definition.type
(concept_definition name: (_) @name) @definition.type

(using_declaration) @import
