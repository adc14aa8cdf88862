"""What becomes of alerts: whether somebody is told, who, and in which words. Pure; whoever takes alerts in calls it."""
