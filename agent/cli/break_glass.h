/* The break-glass page: what a person checks by hand when the tool cannot decide. */
#ifndef UW_BREAK_GLASS_H
#define UW_BREAK_GLASS_H

/* Plain text, lines of at most 96 columns, with a newline at its end. */
const char *break_glass_page(void);

#endif
