(contract_declaration name: (_) @name body: (_)? @body) @definition.class
(interface_declaration name: (_) @name body: (_)? @body) @definition.interface
(library_declaration name: (_) @name body: (_)? @body) @definition.module
(struct_declaration name: (_) @name body: (_)? @body) @definition.struct
(enum_declaration name: (_) @name body: (_)? @body) @definition.enum
(function_definition name: (_) @name body: (_)? @body) @definition.function
(modifier_definition name: (_) @name body: (_)? @body) @definition.function
; These go by their header.
(constructor_definition body: (_)? @body) @definition.function
(fallback_receive_definition body: (_)? @body) @definition.function
(event_definition name: (_) @name) @definition.type
(error_declaration name: (_) @name) @definition.type
(user_defined_type_definition name: (_) @name) @definition.type
(struct_member name: (_) @name) @definition.field
(state_variable_declaration name: (_) @name) @definition.field
(constant_variable_declaration name: (_) @name) @definition.constant

(import_directive) @import
