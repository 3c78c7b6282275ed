(function_definition name: (_) @name body: (_) @body) @definition.function
((variable_assignment name: (variable_name) @name) @definition.variable
  (#has-parent? @definition.variable program))
((declaration_command (variable_assignment name: (variable_name) @name)+) @definition.variable
  (#has-parent? @definition.variable program))

(command name: (command_name) @_source (#any-of? @_source "source" ".")) @import
