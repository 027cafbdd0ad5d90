/*-------------------------------------------------------------------------
 *
 * fingerprint.h
 *	  What is true of the objects of a schema, in words that do not depend on
 *	  the schema, the database or the order in which they were made.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_FINGERPRINT_H
#define PUBLICDIGIT_FINGERPRINT_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "target.h"

/* One thing that is true of an object. */
typedef struct PdItem
{
	char	   *module;			/* that made "whole"; NULL where none has */
	char	   *whole;			/* what the object is part of: "table members" */
	char	   *object;			/* "column members.email", or the same */
	char	   *property;		/* "default"; empty for what the object is */
	char	   *value;
} PdItem;

/*
 * Must be called inside pd_spi_begin; items are in the current memory context.
 */
extern List *pd_items(const PdTarget *target);	/* sorted, of PdItem */
extern int	pd_item_compare(const PdItem *a, const PdItem *b);

#endif							/* PUBLICDIGIT_FINGERPRINT_H */
