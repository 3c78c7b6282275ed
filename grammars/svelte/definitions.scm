; Markup that is called by a name.
(snippet_statement (snippet_start (snippet_name) @name)) @definition.function
