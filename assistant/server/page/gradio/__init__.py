"""All that only Gradio needs: its page, and what stands between it and a request."""
