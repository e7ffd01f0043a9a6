/*
 * directory/picture.h - a control set as a picture: Graphviz's dot language.
 *
 * Whoever is on a path is a box with name and id, each label at a path's end
 * an ellipse; an edge says of which kind it is. What several paths share is
 * drawn once. Any text may stand in a name: it is quoted, and never read as
 * part of the language.
 */
#ifndef DIRECTORY_PICTURE_H
#define DIRECTORY_PICTURE_H

struct arena;
struct buf;
struct control;
struct directory;
struct principal;

/* 0 or ERR_MEMORY. */
int control_dot(struct buf *out, const struct directory *d,
    const struct principal *who, const struct control *c, struct arena *a);

#endif
