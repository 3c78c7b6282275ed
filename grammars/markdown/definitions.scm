(section . (atx_heading heading_content: (_) @name)) @definition.section
; A heading that is underlined begins no section in the tree; it reaches to the
; next one of its level.
(setext_heading heading_content: (_) @name) @definition.section
