"""CodeBuild, CodePipeline, and what they are given to run."""
