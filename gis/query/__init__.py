"""From a question to a SELECT: query, span, filters, areas, plan, answers; and the question as a URL."""
