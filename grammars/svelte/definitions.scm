; Elements that a reader would name: by their id, else those that shape the page.

(element
  (start_tag
    (attribute
      (attribute_name) @_id
      (quoted_attribute_value (attribute_value) @name)))
  (#eq? @_id "id")) @definition.element
(element
  (start_tag (tag_name) @name)
  (#any-of? @name
    "header" "footer" "main" "nav" "section" "article" "aside" "form" "table" "template"
    "dialog" "svg")) @definition.element
(script_element (start_tag (tag_name) @name)) @definition.element
(style_element (start_tag (tag_name) @name)) @definition.element
; Markup that is called by a name.
(snippet_statement (snippet_start (snippet_name) @name)) @definition.function
