; Used for C and C++. A declarator is unwrapped to the name inside.

(function_definition declarator: (_) @name body: (_)? @body) @definition.function
; A parenthesis around the declared name is a pointer to a function.
(declaration
  declarator: [
    (function_declarator declarator: (parenthesized_declarator)) @name
    (init_declarator declarator: (function_declarator) @name)
  ]) @definition.variable
(declaration
  declarator: [
    (function_declarator) @name
    (pointer_declarator declarator: (function_declarator)) @name
    (pointer_declarator declarator: (pointer_declarator declarator: (function_declarator))) @name
  ]) @definition.function
(declaration declarator: (init_declarator declarator: (_) @name value: (initializer_list) @body))
  @definition.variable
(declaration declarator: (_)+ @name) @definition.variable
(field_declaration
  declarator: [
    (function_declarator declarator: (parenthesized_declarator)) @name
  ]) @definition.field
(field_declaration
  declarator: [
    (function_declarator) @name
    (pointer_declarator declarator: (function_declarator)) @name
  ]) @definition.method
(field_declaration declarator: (_)+ @name) @definition.field

(type_definition
  type: (struct_specifier body: (_) @body)
  declarator: (_) @name) @definition.struct
(type_definition
  type: (union_specifier body: (_) @body)
  declarator: (_) @name) @definition.struct
(type_definition
  type: (enum_specifier body: (_) @body)
  declarator: (_) @name) @definition.enum
(type_definition declarator: (_)+ @name) @definition.type
(struct_specifier name: (_) @name body: (_) @body) @definition.struct
(union_specifier name: (_) @name body: (_) @body) @definition.struct
(enum_specifier name: (_) @name body: (_) @body) @definition.enum
(enumerator name: (_) @name) @definition.field

(preproc_function_def name: (_) @name value: (_)? @body) @definition.macro
(preproc_def name: (_) @name value: (_)) @definition.constant

(preproc_include) @import
