-- Challengers, ordered by how much they disagree with the answers.
SELECT profile, answered_by, challenger, events, agreement, average_difference, average_shift, largest_difference
FROM risk.challenger_agreement
ORDER BY profile, agreement, challenger;
